/** What is wrong with a model that was to be imported. */
type ModelErrorCode = 'model_invalid' | 'model_unsupported';

export class ModelError extends Error {
  override readonly name = 'ModelError';
  readonly code: ModelErrorCode;

  /**
   * @param code `model_invalid`: the files are damaged or contradict themselves. `model_unsupported`: they are sound,
   * and hold something that plans cannot express.
   */
  constructor(code: ModelErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export function invalid(what: string, cause?: unknown): ModelError {
  return new ModelError('model_invalid', `The model is not valid: ${what}.`, { cause });
}

export function unsupported(what: string): ModelError {
  return new ModelError('model_unsupported', `The model cannot be imported: ${what}.`);
}
