import { armFault, parseFault } from './fault.js'

/** Loaded into the CLI with `NODE_OPTIONS=--import=…`: the built program as it is, with one thing that goes wrong. */
const text = process.env.PROOF_FAULT
if (text !== undefined) armFault(parseFault(text))
