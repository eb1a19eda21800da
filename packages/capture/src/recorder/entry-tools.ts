import { createPacker } from '../codec';
import { createEndpointNormalizer } from '../entries/endpoint-key';
import { createRedactor } from '../redaction';
import type { EntryTools } from './prepare-entry';
import { RECORDER_DEFAULTS, type RecorderOptions } from './recorder-options';

/** The part of a recorder's options that says how exchanges become entries: plain data, which any thread can be given. */
export type EntrySpec = Pick<
  RecorderOptions,
  'redaction' | 'codec' | 'compressionThresholdBytes' | 'endpoints'
>;

const MAX_DECODED_BYTES = 8 * 1024 * 1024;

export function createEntryTools(spec: EntrySpec): EntryTools {
  const { redaction, codec = 'zlib', endpoints } = spec;
  const thresholdBytes = spec.compressionThresholdBytes ?? RECORDER_DEFAULTS.compressionThresholdBytes;
  return {
    redactor: redaction === false ? undefined : createRedactor(redaction),
    pack: createPacker({ codec, thresholdBytes }),
    maxDecodedBytes: MAX_DECODED_BYTES,
    normalizeEndpoint: createEndpointNormalizer(endpoints),
  };
}
