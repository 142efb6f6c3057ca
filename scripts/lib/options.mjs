/**
 * @typedef {object} Option
 * @property {'count' | 'text' | 'flag'} type
 * @property {string} about for the help
 * @property {number | string} [default]
 * @property {number} [min] of a count
 * @property {number} [max] of a count
 * @property {readonly string[]} [choices] of a text
 */

/**
 * Reads the command line of an npm script, before anything is installed.
 *
 * @param {readonly string[]} args
 * @param {Record<string, Option>} options
 * @param {NodeJS.ProcessEnv} [env] `npm run demo --rows=5` (without the lone `--`) arrives here
 * @returns {Record<string, number | string | boolean | undefined>}
 * @throws {Error} that says in one line what is wrong
 */
export function readOptions(args, options, env = {}) {
  const values = Object.fromEntries(
    Object.entries(options).map(([name, option]) => {
      const kept = env[`npm_config_${name}`]
      return [name, kept ? convert(name, option, kept) : option.default]
    }),
  )
  const rest = [...args]
  while (rest.length > 0) {
    const arg = rest.shift()
    const [, name, given] = /^--([a-z]+)(?:=(.*))?$/s.exec(arg) ?? []
    const option = Object.hasOwn(options, name ?? '') ? options[name] : undefined
    if (!option) throw new Error(`unknown: ${arg}. ${usage(options)}`)
    values[name] = option.type === 'flag' ? true : convert(name, option, given ?? rest.shift())
  }
  return values
}

/** The options in a line each. */
export function optionsHelp(options) {
  return Object.entries(options)
    .map(([name, option]) => {
      const form = option.type === 'flag' ? `--${name}` : `--${name} ${option.type === 'count' ? 'N' : 'TEXT'}`
      const byDefault = option.default === undefined ? '' : ` [${option.default.toLocaleString('en-US')}]`
      return `  ${form.padEnd(16)} ${option.about}${byDefault}`
    })
    .join('\n')
}

function usage(options) {
  const names = Object.keys(options).map((name) => `--${name}`)
  return `The options are ${names.join(', ')}; with npm they stand after two dashes: npm run … -- --rows 5000`
}

function convert(name, option, text) {
  if (option.type === 'flag') return text === 'true'
  if (text === undefined || text === '') throw new Error(`--${name} needs a value`)
  if (option.type === 'text') return choice(name, option, text)
  const value = /^\d[\d_]*$/.test(text) ? Number(text.replaceAll('_', '')) : Number.NaN
  if (value >= option.min && value <= option.max) return value
  const [min, max] = [option.min, option.max].map((bound) => bound.toLocaleString('en-US'))
  throw new Error(`--${name} takes a whole number from ${min} to ${max}, such as ${option.default}; not "${text}"`)
}

function choice(name, { choices }, text) {
  if (choices === undefined || choices.includes(text)) return text
  throw new Error(`--${name} takes ${choices.join(', ')}; not "${text}"`)
}
