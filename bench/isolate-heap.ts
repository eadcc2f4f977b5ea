/** An isolate's memory by V8's own account, through workerd's inspector. WebAssembly memories are not in it. */
import { z } from 'zod';

const MB = 1e6;

const Answer = z.object({
  id: z.int(),
  result: z.object({
    usedSize: z.number(),
    embedderHeapUsedSize: z.number(),
    /** ArrayBuffers. */
    backingStorageSize: z.number(),
  }),
});

export class IsolateHeap {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (mb: number) => void>();
  #last = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      const answer = Answer.safeParse(JSON.parse(String(data)));
      if (!answer.success) return;
      const { usedSize, embedderHeapUsedSize, backingStorageSize } = answer.data.result;
      this.#waiting.get(answer.data.id)?.((usedSize + embedderHeapUsedSize + backingStorageSize) / MB);
      this.#waiting.delete(answer.data.id);
    });
  }

  /** @param inspector the WebSocket of workerd's inspector, and in its path the Worker. */
  static async open(inspector: URL): Promise<IsolateHeap> {
    const socket = new WebSocket(inspector);
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve);
      socket.addEventListener('error', reject);
    });
    return new IsolateHeap(socket);
  }

  /** MB of objects and ArrayBuffers at this moment. */
  used(): Promise<number> {
    const id = ++this.#last;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#socket.send(JSON.stringify({ id, method: 'Runtime.getHeapUsage' }));
    });
  }

  /** Collects what nothing refers to any more. */
  collect(): void {
    this.#socket.send(JSON.stringify({ id: ++this.#last, method: 'HeapProfiler.collectGarbage' }));
  }

  close(): void {
    this.#socket.close();
  }
}
