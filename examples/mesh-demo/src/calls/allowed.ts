// The calls that are to succeed: by token, by certificate, by both, along a chain, and where nobody has to be known.
import type { Call, Experiment } from './call.ts'

export const readOrder: Call = {
  caller: 'checkout',
  callee: 'orders',
  route: 'GET /orders/:id',
  path: '/orders/1',
  scope: 'orders:read',
  credential: 'token',
  expect: 'allow',
}

export const placeOrder: Call = {
  ...readOrder,
  route: 'POST /orders',
  path: '/orders',
  scope: 'orders:write',
}

export const readStock: Call = {
  ...readOrder,
  callee: 'inventory',
  route: 'GET /stock/:sku',
  path: '/stock/tea',
  scope: 'stock:read',
}

export const changeStock: Call = {
  ...readStock,
  caller: 'orders',
  route: 'PUT /stock/:sku',
  credential: 'certificate',
}

export const readCart: Call = {
  caller: 'orders',
  callee: 'checkout',
  route: 'GET /carts/:id',
  path: '/carts/1',
  scope: 'carts:read',
  credential: 'token and certificate',
  expect: 'allow',
}

export const askPrice: Call = {
  ...readOrder,
  callee: 'pricing',
  route: 'POST /shop.Prices/Get',
  path: '/shop.Prices/Get',
  scope: 'prices:read',
}

export const setPrice: Call = {
  ...askPrice,
  caller: 'orders',
  route: 'POST /shop.Prices/Set',
  path: '/shop.Prices/Set',
  scope: 'prices:write',
  credential: 'certificate',
}

export const readSales: Call = {
  ...readOrder,
  callee: 'reports',
  route: 'GET /sales/:sku',
  path: '/sales/tea',
  scope: 'sales:read',
}

export const recordSale: Call = {
  ...readSales,
  caller: 'orders',
  route: 'POST /sales',
  path: '/sales',
  credential: 'certificate',
}

export const allowed: readonly Experiment[] = [
  { call: readOrder },
  { call: { ...readOrder, credential: 'certificate' } },
  { call: { ...readOrder, credential: 'token and certificate' } },
  { call: { ...readOrder, credential: "alice's token, certificate" } },
  { call: placeOrder },
  { call: { ...placeOrder, credential: 'certificate' } },
  {
    call: {
      ...readOrder,
      route: 'GET /orders/:id/stock',
      path: '/orders/1/stock',
      onward: { ...readStock, caller: 'orders', credential: 'token and certificate' },
    },
  },
  {
    call: {
      ...readOrder,
      route: 'GET /orders/:id/price',
      path: '/orders/1/price',
      onward: { ...askPrice, caller: 'orders', credential: 'token and certificate' },
    },
  },
  { call: readCart },
  { call: changeStock },
  { call: askPrice },
  { call: { ...askPrice, credential: 'certificate' } },
  { call: setPrice },
  { call: readSales },
  { call: recordSale },
  { call: { ...readOrder, caller: 'outsider', route: 'GET /healthz', path: '/healthz', credential: 'none' } },
  { call: { ...readOrder, callee: 'outsider', route: 'GET /offers', path: '/offers', credential: 'none' } },
]
