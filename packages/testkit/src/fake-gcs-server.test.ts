import { describe, expect, test } from 'vitest'
import { createGcsBucket } from './fake-gcs-server.js'
import { startGcsProxy } from './gcs-proxy.js'
import { describeWithFakeGcs } from './vitest.js'

const names = new Set<string>()

for (const place of ['here', 'there']) {
  await describeWithFakeGcs(`Cloud Storage ${place}`, ({ server, name }) => {
    test('has an empty bucket of its own', async () => {
      const listing = await fetch(`${server.url}/storage/v1/b/${name}/o`)
      expect(await listing.json()).not.toHaveProperty('items')
      expect(names).not.toContain(name)
      names.add(name)
    })
  })
}

await describeWithFakeGcs('a bucket', ({ server, name }) => {
  test('is gone with its objects when it is dropped', async () => {
    const other = await createGcsBucket(server)
    const object = `${server.url}/upload/storage/v1/b/${other.name}/o?uploadType=media&name=a%2Fb`
    await fetch(object, { method: 'POST', body: 'x' })
    await other.drop()
    expect((await fetch(`${server.url}/storage/v1/b/${other.name}`)).status).toBe(404)
  })

  describe('behind the proxy', () => {
    const total = 600_000
    const bytes = Buffer.alloc(total, 'x')

    async function begin(url: string): Promise<string> {
      const response = await fetch(`${url}/upload/storage/v1/b/${name}/o?uploadType=resumable&name=large`, {
        method: 'POST',
        body: '{}',
        headers: { 'content-type': 'application/json' },
      })
      return response.headers.get('location')!
    }

    function put(session: string, range: string, body?: Buffer) {
      return fetch(session, {
        method: 'PUT',
        headers: { 'content-range': range },
        body: body ?? null,
        redirect: 'manual',
      })
    }

    test('an upload that is cut tells how far it came, takes the rest, and knows what became of it', async () => {
      await using proxy = await startGcsProxy(server.url)
      const session = await begin(proxy.url)
      const nothing = await put(session, `bytes */${total}`)
      expect([nothing.status, nothing.headers.get('range')]).toEqual([308, null])
      proxy.fail({ on: 'send', kind: 'cut', afterBytes: 300_000 })
      await expect(put(session, `bytes 0-${total - 1}/${total}`, bytes)).rejects.toThrow()
      const some = await put(session, `bytes */${total}`)
      expect([some.status, some.headers.get('range')]).toEqual([308, 'bytes=0-262143'])
      const rest = await put(session, `bytes 262144-${total - 1}/${total}`, bytes.subarray(262_144))
      expect([rest.status, await rest.json()]).toMatchObject([200, { size: String(total) }])
      const all = await put(session, `bytes */${total}`)
      expect([all.status, await all.json()]).toMatchObject([200, { name: 'large', size: String(total) }])
    })
  })
})
