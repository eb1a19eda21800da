import { createPacker } from '../codec';
import { createEndpointNormalizer } from '../entries/endpoint-key';
import {
  createRedactor,
  loadRedactionModule,
  withFunctions,
  type RedactionRules,
  type Redactor,
} from '../redaction';
import type { EntryTools } from './prepare-entry';
import { RECORDER_DEFAULTS, type RecorderOptions } from './recorder-options';

/** The part of a recorder's options that says how exchanges become entries: plain data, which any thread can be given. */
export type EntrySpec = Pick<
  RecorderOptions,
  'redaction' | 'codec' | 'compressionThresholdBytes' | 'endpoints'
>;

type OnFailure = (error: unknown, where: string) => void;

const MAX_DECODED_BYTES = 8 * 1024 * 1024;

/**
 * @param onFailure told what a redaction module fails with
 * @throws {StorageError} `CONFIG_INVALID` for a redaction module that cannot be loaded
 */
export function createEntryTools(spec: EntrySpec, onFailure: OnFailure): EntryTools {
  const { redaction, codec = 'zlib', endpoints } = spec;
  const thresholdBytes = spec.compressionThresholdBytes ?? RECORDER_DEFAULTS.compressionThresholdBytes;
  return {
    redactor: redaction === false ? undefined : redactorFor(redaction, onFailure),
    pack: createPacker({ codec, thresholdBytes }),
    maxDecodedBytes: MAX_DECODED_BYTES,
    normalizeEndpoint: createEndpointNormalizer(endpoints),
  };
}

function redactorFor(rules: RedactionRules = {}, onFailure: OnFailure): Redactor {
  const redactor = createRedactor(rules);
  if (rules.module === undefined) return redactor;
  return withFunctions(redactor, loadRedactionModule(rules.module), (error) => {
    onFailure(error, 'redaction');
  });
}
