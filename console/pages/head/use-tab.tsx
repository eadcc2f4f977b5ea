/** Programs that use the head, ready to paste, with its own names in them. */
import { useState } from 'preact/hooks';
import { CodeBlock } from '../../ui/code-block.tsx';
import type { TabProps } from './tab-props.ts';
import { snippets, type Language } from './snippets.ts';
import { workerUrl } from '../../state/session.ts';

const LANGUAGES: readonly { readonly id: Language; readonly text: string }[] = [
  { id: 'curl', text: 'curl' },
  { id: 'javascript', text: 'JavaScript' },
  { id: 'python', text: 'Python' },
];

export function UseTab({ name, detail }: TabProps) {
  const [language, setLanguage] = useState<Language>('curl');
  const label = detail?.classes[0]?.label ?? 'label';
  const { classify, teach } = snippets(language, { origin: workerUrl.origin, head: name, label });
  return (
    <>
      <fieldset class="row choice">
        <legend class="out-of-sight">Language</legend>
        {LANGUAGES.map(({ id, text }) => (
          <label key={id} class="button" data-kind={id === language ? 'main' : 'quiet'}>
            <input
              type="radio"
              name="language"
              class="out-of-sight"
              checked={id === language}
              onChange={() => setLanguage(id)}
            />
            {text}
          </label>
        ))}
      </fieldset>
      <section class="stack-s">
        <h2>Classify a picture</h2>
        <CodeBlock code={classify} label="Program that classifies a picture" />
      </section>
      <section class="stack-s">
        <h2>Teach more pictures</h2>
        <CodeBlock code={teach} label="Program that teaches pictures" />
      </section>
      <p class="soft">
        Put your key in the environment as <code>HEADWATER_KEY</code>. A key that may only <em>read</em> is
        enough to classify.
      </p>
    </>
  );
}
