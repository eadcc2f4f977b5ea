/** The programs that the console offers to paste, with the user's own names, quoted as each language wants it. */

import { canNameField } from '../../../sdk/fields.ts';

export type Language = 'curl' | 'javascript' | 'python';

export interface Names {
  readonly origin: string;
  readonly head: string;
  readonly label: string;
}

interface Snippets {
  readonly classify: string;
  readonly teach: string;
}

export function snippets(language: Language, names: Names): Snippets {
  switch (language) {
    case 'curl':
      return curl(names);
    case 'javascript':
      return javascript(names);
    case 'python':
      return python(names);
    default:
      return language satisfies never;
  }
}

/** As a word of a POSIX shell. */
function shell(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

function curl({ origin, head, label }: Names): Snippets {
  const files = ['picture-1.jpg', 'picture-2.jpg'];
  const fields = canNameField(label)
    ? files.map((file) => `-F ${shell(`${label}=@${file}`)}`)
    : [`--form-string ${shell(`label=${label}`)}`, ...files.map((file) => `-F image=@${file}`)];
  return {
    classify: `curl ${origin}/v1/heads/${head}/classify \\
  -H "Authorization: Bearer $HEADWATER_KEY" \\
  -H "Content-Type: image/jpeg" \\
  --data-binary @picture.jpg`,
    teach: `curl ${origin}/v1/heads/${head}/teach \\
  -H "Authorization: Bearer $HEADWATER_KEY" \\
  ${fields.join(' \\\n  ')}`,
  };
}

/** JSON's strings are those of JavaScript and, for what a label may hold, of Python. */
const quoted = (text: string): string => JSON.stringify(text);

function javascript({ origin, head, label }: Names): Snippets {
  const field = canNameField(label) ? label : 'image';
  const naming = field === label ? '' : `form.append("label", ${quoted(label)});\n  `;
  const key = 'headers: { authorization: `Bearer ${process.env.HEADWATER_KEY}` }';
  return {
    classify: `import { readFile } from 'node:fs/promises';

const answer = await fetch(${quoted(`${origin}/v1/heads/${head}/classify`)}, {
  method: 'POST',
  ${key},
  body: await readFile('picture.jpg'),
});
const { predictions, unknown } = await answer.json();
console.log(unknown.is_unknown ? 'unknown' : predictions[0]);`,
    teach: `import { openAsBlob } from 'node:fs';

const form = new FormData();
for (const name of ['picture-1.jpg', 'picture-2.jpg']) {
  ${naming}form.append(${quoted(field)}, await openAsBlob(name), name);
}
const answer = await fetch(${quoted(`${origin}/v1/heads/${head}/teach`)}, {
  method: 'POST',
  ${key},
  body: form,
});
console.log(await answer.json());`,
  };
}

function python({ origin, head, label }: Names): Snippets {
  const field = canNameField(label) ? label : 'image';
  const naming = field === label ? '' : `data={"label": ${quoted(label)}},\n    `;
  const key = 'headers={"Authorization": f"Bearer {os.environ[\'HEADWATER_KEY\']}"}';
  return {
    classify: `import os, requests

answer = requests.post(
    ${quoted(`${origin}/v1/heads/${head}/classify`)},
    ${key},
    data=open("picture.jpg", "rb"),
)
answer.raise_for_status()
print(answer.json()["predictions"][0])`,
    teach: `import os, requests

names = ["picture-1.jpg", "picture-2.jpg"]
answer = requests.post(
    ${quoted(`${origin}/v1/heads/${head}/teach`)},
    ${key},
    ${naming}files=[(${quoted(field)}, (name, open(name, "rb"))) for name in names],
)
answer.raise_for_status()
print(answer.json())`,
  };
}
