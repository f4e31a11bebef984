// Asks the service as a known caller and as a stranger, and prints both answers. The process then has to end by itself:
// nothing that the guard started may keep it.
const { once } = require('node:events')

exports.ask = async function ask(app, headers) {
  const server = app.listen(0)
  await once(server, 'listening')
  const url = `http://localhost:${server.address().port}/orders/1`
  const known = await fetch(url, { headers })
  const stranger = await fetch(url)
  const answers = {
    known: { status: known.status, body: await known.json() },
    stranger: { status: stranger.status, challenge: stranger.headers.get('www-authenticate') },
  }
  await stranger.text()
  console.log(JSON.stringify(answers))
  server.close()
}
