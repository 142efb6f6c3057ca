import { expect, test } from 'vitest'
import { pythonWith } from './python.js'
import { describeNeeding } from './vitest.js'

await describeNeeding('Python', { python: () => pythonWith('fastavro==1.12.1') }, ({ python }) => {
  test('has the package, and the arguments', async () => {
    const script = 'import fastavro, sys; print(fastavro.__version__, sys.argv[1:])'
    expect(await python.run(script, 'a', 'b')).toBe("1.12.1 ['a', 'b']\n")
    await expect(python.run('raise Exception("odd")')).rejects.toThrow('odd')
  })
})
