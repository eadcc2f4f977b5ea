/** An HTTP server on this machine that answers what a test says, and records the requests. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { onTestFinished } from 'vitest';

export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly bytes: number;
}

export interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** How long the answer is kept back. */
  readonly afterMs?: number;
  /** Loses the connection, instead of an answer or after half of it. */
  readonly lost?: 'before' | 'within';
}

/** @param answer is given how many requests came so far, this one counted. */
export async function serve(
  answer: (count: number) => Answer,
): Promise<{ url: string; requests: Received[] }> {
  const requests: Received[] = [];
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let bytes = 0;
    request.on('data', (chunk: Buffer) => (bytes += chunk.length));
    await new Promise((resolve) => request.once('end', resolve));
    requests.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, bytes });
    const { status, body = {}, headers = {}, afterMs = 0, lost } = answer(requests.length);
    if (afterMs > 0) await new Promise((resolve) => setTimeout(resolve, afterMs));
    if (lost === 'before') return void request.socket.destroy();
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    const text = JSON.stringify(body);
    if (lost === undefined) return void response.end(text);
    response.write(text.slice(0, text.length / 2), () => request.socket.destroy());
  };
  const server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('The server has no port.');
  return { url: `http://127.0.0.1:${address.port}`, requests };
}
