export interface RequestSpec {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: readonly (readonly [name: string, value: string])[];
  /** Sent with its length, unless the headers name a `Transfer-Encoding`. */
  readonly body?: string | Buffer;
  readonly version?: '1.0' | '1.1';
}
