import { once } from 'node:events'
import { Socket } from 'node:net'
import { expect, test } from 'vitest'
import { Connections } from './connections.js'

function three(): { connections: Connections; sockets: Socket[]; dropped: Socket[] } {
  const dropped: Socket[] = []
  const connections = new Connections(3, (socket) => dropped.push(socket))
  const sockets = [new Socket(), new Socket(), new Socket()]
  for (const socket of sockets) connections.admit(socket)
  return { connections, sockets, dropped }
}

test('a newcomer takes the place of whoever has waited longest', () => {
  const { connections, sockets, dropped } = three()
  connections.asked(sockets[0]!)
  connections.admit(new Socket())
  expect(dropped).toEqual([sockets[1]])
  expect(sockets.map(({ destroyed }) => destroyed)).toEqual([false, true, false])
  expect(connections.size).toBe(3)
})

test('one that was answered waits again, as the last', () => {
  const { connections, sockets, dropped } = three()
  connections.asked(sockets[0]!)
  connections.answered(sockets[0]!)
  for (let i = 0; i < 3; i++) connections.admit(new Socket())
  expect(dropped).toEqual([sockets[1], sockets[2], sockets[0]])
})

test('where none waits it takes that of whoever is longest over its answer, but of no live page', () => {
  const { connections, sockets, dropped } = three()
  for (const socket of sockets) connections.asked(socket)
  connections.keep(sockets[0]!)
  connections.admit(new Socket())
  expect(dropped).toEqual([sockets[1]])
})

test('one that goes is forgotten', async () => {
  const { connections, sockets, dropped } = three()
  sockets[2]!.destroy()
  await once(sockets[2]!, 'close')
  connections.admit(new Socket())
  expect([connections.size, dropped]).toEqual([3, []])
})
