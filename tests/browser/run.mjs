// Runs every *.test.mjs of a folder, one after another, with Node's own test runner against one server.
//
//   BASE_URL=http://127.0.0.1:8080/ SIGN_IN_URL=… node tests/browser/run.mjs [FOLDER]
//
// BASE_URL     the server's first page (required)
// SIGN_IN_URL  visited before each test; no sign-in where it is empty
// TEST_FILTER  a regular expression: only the tests whose name it matches
// SCREENSHOTS  the folder for pictures of failed pages, target/screenshots where it is not given
//
// Ends with 1 where a test failed, and where none ran: a filter that matches nothing is a mistake.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const folder = path.resolve(process.argv[2] ?? here);

if (!process.env.BASE_URL) {
  console.error('BASE_URL is not set: it is the address of the server under test, such as http://127.0.0.1:8080/');
  process.exit(2);
}
process.env.SCREENSHOTS ||= path.resolve(here, '../../target/screenshots');
// What the first file signed in with, for those after it: a link works once.
const own = mkdtempSync(path.join(tmpdir(), 'cadenza-browser-'));
process.env.SESSION = path.join(own, 'session.json');

const files = readdirSync(folder).filter((name) => name.endsWith('.test.mjs')).sort();
let passed = 0;
let failed = 0;
let count = (event, by) => {
  // A file is reported as a test too; only what stands in it counts.
  if (event.details.type !== 'suite' && event.nesting === 0 && !files.includes(path.basename(event.name))) by();
};
const stream = run({
  files: files.map((name) => path.join(folder, name)),
  concurrency: 1,
  testNamePatterns: process.env.TEST_FILTER ? [new RegExp(process.env.TEST_FILTER)] : undefined,
});
stream.on('test:pass', (event) => count(event, () => (event.skip === undefined ? passed++ : 0)));
stream.on('test:fail', () => failed++);
stream.on('end', () => {
  if (passed + failed === 0) console.error(`no browser test ran: none in ${folder} matches '${process.env.TEST_FILTER ?? ''}'`);
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
  rmSync(own, { recursive: true });
});
stream.compose(spec()).pipe(process.stdout);
