/** Text to take along, with a button that copies it. */
import { Button } from './button.tsx';
import { announce } from './toast.tsx';

export function CodeBlock({ code, label }: { readonly code: string; readonly label: string }) {
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(code);
    announce('Copied.');
  };
  return (
    <div class="code-block">
      <pre class="code" tabIndex={0} role="region" aria-label={label}>
        {code}
      </pre>
      <Button
        size="small"
        icon="copy"
        label={`Copy: ${label}`}
        onClick={() => void copy().catch(() => announce('This browser does not allow copying here.'))}
      />
    </div>
  );
}
