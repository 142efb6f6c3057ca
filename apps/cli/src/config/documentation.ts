import { groups } from './field.js'
import { notesOf, schema, type VariableName, variableNames } from './variables.js'

/** Between these lines README.md holds {@link configurationTable}. */
export const markers = { start: '<!-- configuration:start -->', end: '<!-- configuration:end -->' } as const

/** docs/configuration.md: the schema in words. */
export function configurationPage(): string {
  const sections = groups.map((group) => `## ${group}\n\n${table(namesIn(group))}`)
  return `${[introduction, ...sections].join('\n\n')}\n`
}

/** Every variable in one table, for README.md. */
export function configurationTable(): string {
  return table(variableNames)
}

/** `readme` with the table between its markers renewed; as it is where it has no markers. */
export function renewTable(readme: string): string {
  const [start, end] = [readme.indexOf(markers.start), readme.indexOf(markers.end)]
  if (start < 0 || end < start) return readme
  return `${readme.slice(0, start + markers.start.length)}\n${configurationTable()}\n${readme.slice(end)}`
}

const introduction = `# Configuration

<!-- Made from apps/cli/src/config/variables.ts by \`pnpm --filter @archiver/cli run docs\`; a test compares the two. -->

Settings are environment variables, named as the Go program names them. \`archiver config\` prints the values in effect
and where each comes from, secrets masked. Whatever is wrong is reported at once, by variable, with exit code 2.

## Where values come from

From weak to strong; an empty value counts as not set (but \`db_pass=\` says that there is no password):

1. the default;
2. the env file named by \`--config FILE\`: lines \`KEY=value\`, comments, an optional \`export \`. Values may stand in single
   quotes (taken as they are) or in double quotes (\`\\n\`, \`\\t\`, \`\\"\`, \`\\\\\`, \`\\$\`), and then run over lines. Nothing is
   expanded. \`#\` starts a comment at the start of a line or after a blank. A name that is not known is a warning;
3. the env files \`/vault/secrets/*.env\`, where there are any, in the order of their names. Called as
   \`archive-continuously\` the program reads them as shell syntax, and they win over the environment
   ([Moving from the Go archiver](moving-from-go.md#the-pools-chart-unchanged));
4. the environment;
5. \`DATABASE_DSN\`, for the connection to MySQL: \`db_host\`, \`db_database\`, \`db_user\` and \`db_pass\` as a whole, and by its
   parameters \`charset\`, \`loc\`, \`parseTime\`, \`rejectReadOnly\`, \`timeout\` and \`tls\` the variables that say the same. The
   other parameters of Go's driver are accepted and have no effect; an unknown one is an error;
6. \`database.yaml\` in the working directory, otherwise \`/vault/secrets/database.yaml\`: \`mysql: {dsn, user, pass, dbname}\`.
   Its \`dsn\` replaces \`DATABASE_DSN\`; the other three win over any DSN. A file without the section \`mysql\` is passed over if
   \`DATABASE_DSN\` or \`db_host\` says how MySQL is reached.

A DSN is read as Go's driver reads it: the last \`/\` ends the address, the last \`@\` before it ends the password, the first
\`:\` ends the user. The password stands there as it is, whatever characters it has. Without an address it is
\`127.0.0.1:3306\`, for \`unix\` it is \`/tmp/mysql.sock\`.

## How values are written

| type | form |
| --- | --- |
| duration | as in Go: \`250ms\`, \`10s\`, \`2m\`, \`1h30m\`, \`1.5h\`, \`0\` |
| integer | \`500000\`, also \`500_000\` |
| boolean | \`true\`, \`t\`, \`1\`, \`yes\` or \`false\`, \`f\`, \`0\`, \`no\` |
| path | absolute, or starting at the working directory |
| tables | names with commas between them |

At least one of \`ch_dsn\`, \`bq_dataset\`, \`gc_bucket\` and \`avro_path\` is required.`

function namesIn(group: (typeof groups)[number]): readonly VariableName[] {
  return variableNames.filter((name) => notesOf(name).group === group)
}

function table(names: readonly VariableName[]): string {
  return ['| variable | type | default | |', '| --- | --- | --- | --- |', ...names.map(row)].join('\n')
}

function row(name: VariableName): string {
  const { type, preset, description, mask } = notesOf(name)
  const required = !schema.shape[name].safeParse(undefined).success
  const fallback = preset === undefined ? (required ? 'required' : '') : code(preset)
  const secret = mask === undefined ? '' : ' Secret.'
  return `| ${[code(name), type, fallback, `${description}${secret}`].map(escaped).join(' | ')} |`
}

function code(text: string): string {
  return `\`${text}\``
}

function escaped(text: string): string {
  return text.replaceAll('|', '\\|')
}
