/** The client's requests, by their method. Those of the first kinds may be repeated: a second arrival changes nothing more. */
import { canNameField } from './fields.ts';
import type { Picture, Upload } from './options.ts';
import type { Call } from './transport.ts';

export function headPath(head: string, ...below: readonly (string | number)[]): string {
  return ['v1/heads', ...[head, ...below].map(encodeURIComponent)].join('/');
}

export function get(path: string, query?: Call['query']): Call {
  return { method: 'GET', path, query, repeatable: true };
}

export function put(path: string, value: unknown): Call {
  return { method: 'PUT', path, ...json(value), repeatable: true };
}

export function remove(path: string): Call {
  return { method: 'DELETE', path, repeatable: true };
}

export function patch(path: string, value: unknown): Call {
  return { method: 'PATCH', path, ...json(value), repeatable: true };
}

/** @param value none where the path says it all. */
export function post(path: string, value?: unknown): Call {
  return { method: 'POST', path, ...(value === undefined ? {} : json(value)), repeatable: true };
}

/** A request whose second arrival would make a second thing. */
export function once(path: string, value?: unknown): Call {
  return { ...post(path, value), repeatable: false };
}

/** @throws TypeError for a routing key that can't travel. */
export function showing(path: string, picture: Picture, query: Call['query'], routingKey?: string): Call {
  const headers = { 'content-type': picture.type, ...routed(routingKey) };
  return { method: 'POST', path, query, headers, body: picture.bytes, repeatable: true };
}

/** @throws TypeError for characters that no header can carry: they would look like a connection that failed. */
export function routed(key: string | undefined): Readonly<Record<string, string>> {
  if (key === undefined) return {};
  if (!/^[\x20-\x7e]*$/.test(key))
    throw new TypeError(`The routing key '${key}' must be printable ASCII. Hash it, or encode it.`);
  return { 'routing-key': key };
}

export function picturesForm(pictures: readonly Picture[]): FormData {
  const form = new FormData();
  for (const { bytes, type } of pictures) form.append('image', new Blob([bytes], { type }));
  return form;
}

export function teachForm(pictures: readonly Upload[]): FormData {
  const form = new FormData();
  for (const { label, name, bytes } of pictures) {
    const file = bytes instanceof Blob ? bytes : new Blob([bytes]);
    if (canNameField(label)) {
      form.append(label, file, name);
    } else {
      form.append('label', label);
      form.append('image', file, name);
    }
  }
  return form;
}

function json(value: unknown): Pick<Call, 'headers' | 'body'> {
  return { headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) };
}
