/** What this Worker offers, read from its own OpenAPI document, so that the console shows nothing that would fail. */
import { signal } from '@preact/signals';
import { isObject } from '../../sdk/errors.ts';
import { workerUrl } from './session.ts';

type Method = 'get' | 'put' | 'post' | 'delete' | 'patch';

/** undefined until it is known. */
const paths = signal<Readonly<Record<string, unknown>> | undefined>(undefined);

/** Without the document everything is shown: an answer that says what is missing is better than no button. */
export async function discoverFeatures(): Promise<void> {
  const response = await fetch(new URL('openapi.json', workerUrl));
  const document: unknown = response.ok ? await response.json() : {};
  const found = isObject(document) ? document['paths'] : {};
  paths.value = isObject(found) ? found : {};
}

/** @returns whether the Worker has the route. False until that is known. */
export function offers(method: Method, path: string): boolean {
  const operations = paths.value?.[path];
  return isObject(operations) && method in operations;
}

/** @returns whether the route takes the query parameter. */
export function offersParameter(method: Method, path: string, name: string): boolean {
  const operations = paths.value?.[path];
  const operation = isObject(operations) ? operations[method] : undefined;
  const parameters = isObject(operation) ? operation['parameters'] : undefined;
  return (
    Array.isArray(parameters) &&
    parameters.some((parameter: unknown) => isObject(parameter) && parameter['name'] === name)
  );
}

/** @returns whether the route takes a body. */
export function offersBody(method: Method, path: string): boolean {
  const operations = paths.value?.[path];
  const operation = isObject(operations) ? operations[method] : undefined;
  return isObject(operation) && 'requestBody' in operation;
}
