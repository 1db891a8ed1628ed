/*
 * The real thing: the command under test on the Kafka and PostgreSQL of the environment, in a database and topics of
 * its own, with the events of events.mjs processed, and a server that answers.
 */
import { execFile, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { AS_OF, events, FIRST_DAY, LAST_DAY } from './events.mjs';
import { Receiver } from './receiver.mjs';

const run = promisify(execFile);
const COMMAND_MS = 300_000;
const READY_MS = 300_000;
const STOP_MS = 30_000;

export const people = {
  manager: ['Coby Contract', 'contract-manager', '0363'],
  colleague: ['Daan Dossier', 'contract-manager', '0363'],
  regional: ['Rik Regio', 'regional', null],
  fraud: ['Fenna Feiten', 'fraud', null],
  admin: ['Ada Beheer', 'admin', null],
  leaving: ['Loes Weg', 'contract-manager', '0363'],
};

/* Tries `question` until it gives something true; fails after `ms`. */
export async function until(ms, what, question) {
  const deadline = Date.now() + ms;
  for (;;) {
    const answer = await question();
    if (answer) {
      return answer;
    }
    if (Date.now() > deadline) {
      throw new Error(`${what}: not within ${ms} ms`);
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

export class Stack {
  constructor(folder) {
    const { UW_COMMAND, URENWACHT_DSN } = process.env;
    this.command = UW_COMMAND;
    this.folder = folder;
    // A second run on the same servers meets nothing of the first.
    this.id = `browser-${process.pid}`;
    this.adminDsn = process.env.URENWACHT_ADMIN_DSN;
    this.dsn = URENWACHT_DSN.replace(/[^/]*$/, this.id);
    this.tokens = {};
    this.processes = [];
    this.environment = { ...process.env, URENWACHT_CONFIG: `${folder}/urenwacht.yaml`, URENWACHT_DSN: this.dsn };
  }

  urenwacht(...words) {
    return run(this.command, words, { env: this.environment, timeout: COMMAND_MS, maxBuffer: 1 << 26 });
  }

  async sql(text, dsn = this.dsn) {
    const answer = await run('psql', ['-XAtq', '-v', 'ON_ERROR_STOP=1', dsn, '-c', text], { timeout: COMMAND_MS });
    return answer.stdout.trim();
  }

  /* A process that lives until close; what it says goes to `name`.log. */
  start(name, words, stdin = 'ignore') {
    const log = openSync(`${this.folder}/${name}.log`, 'w');
    const child = spawn(this.command, words, { env: this.environment, stdio: [stdin, log, log] });
    closeSync(log);
    child.name = name;
    child.ended = new Promise((resolve) => child.once('exit', resolve));
    this.processes.push(child);
    return child;
  }

  log(name) {
    return readFileSync(`${this.folder}/${name}.log`, 'utf8');
  }

  async open() {
    this.receiver = await new Receiver().open();
    writeFileSync(
      this.environment.URENWACHT_CONFIG,
      `group:\n  id: ${this.id}\ntopics:\n  partitions: 2\n` +
        ['decisions', 'declarations', 'no-shows', 'evaluations', 'alerts', 'anomalies', 'dead-letters']
          .map((topic) => `  ${topic}: ${this.id}.${topic}\n`)
          .join('') +
        'serve:\n  secure_cookie: false\n' +
        `webhooks:\n  allow: 127.0.0.1\n  allow_http: true\n  ports: ${this.receiver.port}\n` +
        '  retry_min_ms: 50\n  retry_max_ms: 200\n',
    );
    await this.sql(`CREATE DATABASE "${this.id}" OWNER urenwacht`, this.adminDsn);
    this.made = true;
    const region = `${this.folder}/region.jsonl`;
    const own = `${this.folder}/events.jsonl`;
    writeFileSync(own, events().map((event) => `${JSON.stringify(event)}\n`).join(''));
    await Promise.all([
      this.urenwacht('migrate'),
      this.urenwacht('topics', '--create'),
      this.urenwacht('simulate', '--clients', '160', '--from', FIRST_DAY, '--until', LAST_DAY, '--switch-date', '2026-01-01',
        '--seed', '7', '--output', region),
    ]);
    const count = [region, own].map((file) => readFileSync(file, 'utf8').split('\n').length - 1);
    await this.urenwacht('feed', region, own);
    // As when it happened: the facts are there before the day on which they are judged.
    await this.urenwacht('process', '--until-idle', '--as-of', FIRST_DAY);
    this.fed = count[0] + count[1];
    this.start('process', ['process', '--as-of', AS_OF]);
    await Promise.all([
      this.serve(),
      (async () => {
        for (const [person, [name, role, municipality]] of Object.entries(people)) {
          const where = municipality === null ? [] : ['--municipality', municipality];
          const made = await this.urenwacht('token', 'create', '--name', name, '--role', role, ...where);
          this.tokens[person] = made.stdout.trim();
        }
      })(),
    ]);
    await this.judged();
    // What people are to see live comes through a feeder that is already there.
    this.feeder = this.start('feed', ['feed', '-'], 'pipe');
    return this;
  }

  async serve() {
    const server = this.start('serve', ['serve', '--port', String(this.port ?? 0)]);
    this.server = server;
    const line = await until(READY_MS, 'serve', () => {
      if (server.exitCode !== null) {
        throw new Error(`serve ended: ${this.log('serve')}`);
      }
      return /serving on \S+ port (\d+)/.exec(this.log('serve'));
    });
    this.port = Number(line[1]);
    this.origin = `http://127.0.0.1:${this.port}`;
    await until(READY_MS, 'readyz', () =>
      fetch(`${this.origin}/readyz`).then(
        (answer) => answer.ok,
        () => false,
      ),
    );
  }

  /* Waits until everything that was fed has been processed and is judged as of AS_OF. */
  async judged() {
    await until(READY_MS, `${this.fed} events judged as of ${AS_OF}`, async () => {
      const state = await this.sql('SELECT sum(next_offset), min(as_of) FROM urenwacht.progress');
      return state === `${this.fed}|${AS_OF}`;
    });
  }

  /* Sends events while people look. */
  feed(...more) {
    this.fed += more.length;
    this.feeder.stdin.write(more.map((event) => `${JSON.stringify(event)}\n`).join(''));
  }

  /* Asks the API with somebody's token; gives the answer's body, which is null for none. */
  async ask(person, method, path, body = undefined) {
    const answer = await fetch(`${this.origin}/api/v1/${path}`, {
      method,
      headers: {
        Authorization: `Bearer ${this.tokens[person]}`,
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) {
      throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    }
    return text === '' ? null : JSON.parse(text);
  }

  async stop(child, signal = 'SIGTERM') {
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await child.ended;
    clearTimeout(timer);
    this.processes = this.processes.filter((one) => one !== child);
  }

  async close() {
    await Promise.all(this.processes.map((child) => this.stop(child)));
    await this.receiver?.close();
    if (this.made) {
      await this.sql(`DROP DATABASE IF EXISTS "${this.id}" WITH (FORCE)`, this.adminDsn);
    }
  }
}
