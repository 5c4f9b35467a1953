/** What `skep internal` does, for tests: a process of a cluster. */
import { runProcess } from '../run-process.js';

const [role = '', file = ''] = process.argv.slice(-2);
process.exitCode = await runProcess(role, file);
