import { countersign, createGuard, createTlsServer, unprotected } from '@countersign/express'
import express from 'express'
import { audienceOf } from '../workloads.ts'
import { runService } from './run-service.ts'

// A service like any other, in a home of its own: the shop has never heard of that home.
runService(({ house, certificate }) => {
  const guard = createGuard({ ...house, audience: audienceOf('outsider') })
  const app = express()
  app.use(countersign(guard))

  app.get('/offers', unprotected('a public price list'), (_req, res) => {
    res.json({ tea: 3.5 })
  })
  return { guard, server: createTlsServer(app, { ...certificate, guard }) }
})
