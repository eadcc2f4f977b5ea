/** Short news at the foot of the page, read out by screen readers. */
import { signal } from '@preact/signals';

const SHOWN_MS = 4_000;
const news = signal<readonly { readonly id: number; readonly text: string }[]>([]);
let last = 0;

export function announce(text: string): void {
  const id = ++last;
  news.value = [...news.value, { id, text }];
  setTimeout(() => {
    news.value = news.value.filter((item) => item.id !== id);
  }, SHOWN_MS);
}

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {news.value.map(({ id, text }) => (
        <div class="toast" key={id}>
          {text}
        </div>
      ))}
    </div>
  );
}
