/**
 * Every failure that a caller can cause or should know of is a HeadwaterError with a stable code. Hosts map codes to
 * their own surface with one exhaustive switch each (HTTP status in the Worker, exit code in the trainer).
 */
export type ErrorCode =
  // pictures
  | 'image_empty'
  | 'image_too_large'
  | 'image_too_many_pixels'
  | 'image_format_unknown'
  | 'image_corrupt'
  // safetensors files, heads and backbones
  | 'file_corrupt'
  | 'head_invalid'
  | 'head_too_large'
  | 'backbone_invalid'
  | 'backbone_mismatch'
  // learning
  | 'training_data_invalid'
  | 'training_data_too_large';

export class HeadwaterError extends Error {
  override readonly name = 'HeadwaterError';
  readonly code: ErrorCode;

  /** @param message one sentence for a person: what was wrong, where, and what to do. */
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
