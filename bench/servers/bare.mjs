// The floor that others are measured against: the same JSON, with nothing around it. Usage: bare.mjs http|koa <port>
import { createServer } from 'node:http'
import Koa from 'koa'

const [, , kind, port] = process.argv
const user = {
  id: 'usr_019a9f0b7c3e7d5ea0c4b81f2d6e9a37',
  email: 'owner@parley.example',
  name: 'Demo Owner',
  time_zone: 'Europe/Berlin',
  version: 1,
  created_at: '2026-01-31T09:30:00.000Z',
  updated_at: '2026-01-31T09:30:00.000Z',
}

function answer(_request, response) {
  response.setHeader('Content-Type', 'application/json; charset=utf-8')
  response.end(JSON.stringify(user))
}

const koa = new Koa()
koa.use(ctx => {
  ctx.body = user
})

createServer(kind === 'koa' ? koa.callback() : answer).listen(Number(port), '127.0.0.1')
