import { expect, test } from 'vitest'
import { ServiceUnavailable } from './errors.js'
import { pythonWith } from './python.js'
import { skipOrFail } from './skip-or-fail.js'

const python = await pythonWith('fastavro==1.12.1').catch((thrown: unknown) => skipOrFail(thrown))

test.skipIf(python instanceof ServiceUnavailable)('Python has the package, and the arguments', async () => {
  if (python instanceof ServiceUnavailable) return
  const script = 'import fastavro, sys; print(fastavro.__version__, sys.argv[1:])'
  expect(await python.run(script, 'a', 'b')).toBe("1.12.1 ['a', 'b']\n")
  await expect(python.run('raise Exception("odd")')).rejects.toThrow('odd')
})
