const names = {}
for (const entry of process.argv.slice(2)) {
  // Node adds `__esModule`, for code that was compiled from `import` to `require`.
  names[entry] = Object.keys(require(entry))
    .filter((name) => name !== '__esModule')
    .toSorted()
}
console.log(JSON.stringify(names))
