import 'reflect-metadata'
import { countersign, type Guard } from '@countersign/express'
import type { Express } from 'express'
import { createServer } from 'routing-controllers'
import { GuardedDriver } from './guarded-driver.ts'
import { Orders, Reports } from './orders.ts'

/** Puts the controllers of this shop into an application, behind a guard. */
export function addShop(app: Express, guard: Guard): Express {
  app.use(countersign(guard))
  createServer(new GuardedDriver(app), { controllers: [Orders, Reports] })
  return app
}
