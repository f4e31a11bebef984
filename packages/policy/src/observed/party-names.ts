/** A name that reads like the id and that nobody has yet: the last segment of a SPIFFE ID, a client id, the users of a host. */
export function nameFor(id: string, taken: Set<string>): string {
  const base = cleaned(baseOf(id)) || 'caller'
  let name = base
  for (let i = 2; taken.has(name); i += 1) name = `${base}-${i}`
  taken.add(name)
  return name
}

function baseOf(id: string): string {
  if (id.startsWith('spiffe://')) return id.slice(id.lastIndexOf('/') + 1)
  const [issuer = '', rest = ''] = id.split('#', 2)
  const name = rest.slice(rest.indexOf('=') + 1)
  if (name === '*') return `users-of-${issuer.replace(/^https?:\/\//, '')}`
  // Such as `system:serviceaccount:shop:checkout`.
  return name.slice(name.lastIndexOf(':') + 1)
}

/** As names in a document are spelled, with room for a number; never a word that YAML takes for a value. */
function cleaned(text: string): string {
  const name = text
    .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 48)
    .replace(/[^A-Za-z0-9]+$/, '')
  return /^(?:true|false|null|yes|no|on|off|y|n|[\d.]+(?:e\d+)?|0[xo][\da-f]+)$/i.test(name)
    ? `caller-${name}`
    : name
}
