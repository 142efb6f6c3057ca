import { Session } from 'chdb'

/** A program of its own: runs SQL statements in an embedded ClickHouse. Arguments: its folder, the statements. */
const [path, ...statements] = process.argv.slice(2)
const session = new Session(path)
for (const statement of statements) session.query(statement)
