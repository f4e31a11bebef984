// Prints what each entry exports: the names are a promise.
const names = {}
for (const entry of process.argv.slice(2)) names[entry] = Object.keys(await import(entry)).toSorted()
console.log(JSON.stringify(names))
