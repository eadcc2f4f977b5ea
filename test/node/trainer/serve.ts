/** An HTTP server on this machine in the Worker's place. */
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { onTestFinished } from 'vitest';

interface Request {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export type Answer = {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Record<string, string>;
};

/** Serves what `answer` says and records the requests. */
export async function serve(
  answer: (request: Request, count: number) => Answer,
): Promise<{ url: string; requests: Request[] }> {
  const requests: Request[] = [];
  const handle = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = '', url = '', headers } = incoming;
    incoming.setEncoding('latin1');
    const body = (await incoming.toArray()).join('');
    const request = { method, url, headers, body };
    requests.push(request);
    const { status, body: said, headers: extra = {} } = answer(request, requests.length);
    response.writeHead(status, { 'content-type': 'application/json', ...extra });
    response.end(typeof said === 'string' ? said : JSON.stringify(said));
  };
  const server = createServer((incoming, response) => void handle(incoming, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('The server has no port.');
  return { url: `http://127.0.0.1:${address.port}`, requests };
}
