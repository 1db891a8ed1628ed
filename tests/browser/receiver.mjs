/*
 * What webhooks send to: a server on loopback that keeps what comes, by path, and answers 204 or what a test told it to.
 * Signatures are checked as docs/webhooks.md tells receivers to.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';

const BODY_MAX = 1 << 20;

export class Receiver {
  constructor() {
    this.got = new Map();
    this.answers = new Map();
    this.server = createServer((request, answer) => this.take(request, answer));
  }

  async open() {
    await new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(0, '127.0.0.1', resolve);
    });
    this.port = this.server.address().port;
    return this;
  }

  close() {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(resolve));
  }

  url(path) {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  /* What came to a path so far: headers, body and the event in it. */
  at(path) {
    return this.got.get(path) ?? [];
  }

  /* From now on this path answers so. */
  answer(path, status) {
    this.answers.set(path, status);
  }

  take(request, answer) {
    const parts = [];
    let size = 0;
    request.on('data', (part) => {
      size += part.length;
      if (size > BODY_MAX) {
        request.destroy();
      } else {
        parts.push(part);
      }
    });
    request.on('end', () => {
      const body = Buffer.concat(parts);
      const { url: path, headers } = request;
      const status = this.answers.get(path) ?? 204;
      this.got.set(path, [...this.at(path), { headers, body, status, event: JSON.parse(body.toString('utf8')) }]);
      answer.writeHead(status, { 'Content-Length': 0 }).end();
    });
  }
}

/* How many of a request's signatures were made with this secret. */
export function signatures({ headers, body }, secret) {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const start = `${headers['webhook-id']}.${headers['webhook-timestamp']}.`;
  const wanted = Buffer.from(`v1,${createHmac('sha256', key).update(start).update(body).digest('base64')}`);
  return headers['webhook-signature']
    .split(' ')
    .map((text) => Buffer.from(text))
    .filter((given) => given.length === wanted.length && timingSafeEqual(given, wanted)).length;
}
