import { expect, it } from 'vitest'
import { maskUrl } from './mask.js'

it.each([
  ['tcp://10.0.0.5:9000/askntp?debug=false', 'tcp://10.0.0.5:9000/askntp?debug=false'],
  ['tcp://u:s3cret@10.0.0.5:9000/askntp', 'tcp://u:***@10.0.0.5:9000/askntp'],
  ['tcp://u:s3/cr@et?x#y@h:9000,h2:9000/db', 'tcp://u:***@h:9000,h2:9000/db'],
  ['tcp://:s3cret@h/db', 'tcp://:***@h/db'],
  ['tcp://u@h:9000/db', 'tcp://u@h:9000/db'],
  ['tcp://h:9000?username=u&password=s3cret&database=d', 'tcp://h:9000?username=u&password=***&database=d'],
  ['HTTPS://u:s3cret@h', 'HTTPS://u:***@h'],
  ['chdb:///var/lib/chdb', 'chdb:///var/lib/chdb'],
])('masks %s', (text, shown) => {
  expect(maskUrl(text)).toBe(shown)
})
