import 'reflect-metadata';
import { Column, Entity, PrimaryColumn, type ColumnOptions, type ValueTransformer } from 'typeorm';
import type { BodyCodec, BodyDetails, BodyState, EntryRecord } from '../entries/entry-record';
import type { StorageType } from '../entries/storage-type';
import type { ClosedBy, Outcome, RecordedWarning } from '../exchange';
import { storedHeaders } from './entry-columns';

/** PostgreSQL's driver hands a bigint over as text. */
export const wholeNumber: ValueTransformer = {
  to: (value: number | null) => value,
  from: (value: string | number | null) => (value === null ? null : Number(value)),
};

const text = (name: string): ColumnOptions => ({ name, type: 'text' });
const optionalText = (name: string): ColumnOptions => ({ name, type: 'text', nullable: true });
const bigint = (name: string): ColumnOptions => ({ name, type: 'bigint', transformer: wholeNumber });
const optionalBigint = (name: string): ColumnOptions => ({ ...bigint(name), nullable: true });
const optionalReal = (name: string): ColumnOptions => ({ name, type: 'double precision', nullable: true });
const headers = (name: string): ColumnOptions => ({
  name,
  type: 'text',
  transformer: { to: JSON.stringify, from: storedHeaders } satisfies ValueTransformer,
});
const json = (name: string): ColumnOptions => ({ name, type: 'simple-json' });
/**
 * `bytea` is refused by TypeORM on SQLite and `blob` on PostgreSQL. The migration makes the true column,
 * TypeORM never synchronises it and hands a `text` through as the driver gave it, which is a Buffer on both.
 */
const bytes = (name: string): ColumnOptions => ({ name, type: 'text', nullable: true, select: false });

/**
 * What is stored of one exchange; see `EntryRecord` for the meaning of its fields. A program may put the
 * class into a `DataSource` of its own to read entries; it is never synchronised, since Recap's own
 * migrations make the table. Bodies are loaded only when selected by name, and unpacked by `decodeBody`.
 */
@Entity({ name: 'recap_entries', synchronize: false })
export class StorageEntry implements EntryRecord {
  @PrimaryColumn({ name: 'id', type: 'text' }) id!: string;
  @Column(optionalText('parent_id')) parentId!: string | null;
  @Column(text('type')) type!: StorageType;
  @Column(optionalText('method')) method!: string | null;
  @Column(optionalText('endpoint')) endpoint!: string | null;
  @Column(optionalText('endpoint_key')) endpointKey!: string | null;
  @Column(optionalText('path')) path!: string | null;
  @Column(optionalText('query')) query!: string | null;
  @Column({ name: 'status', type: 'integer', nullable: true }) status!: number | null;
  @Column(text('outcome')) outcome!: Outcome;
  @Column(optionalText('error_name')) errorName!: string | null;
  @Column(optionalText('error_message')) errorMessage!: string | null;
  @Column(bigint('created_at')) createdAt!: number;
  @Column({ name: 'duration_ms', type: 'double precision' }) durationMs!: number;
  @Column(text('owner')) owner!: string;
  @Column(text('session_id')) sessionId!: string;
  @Column(optionalText('client_address')) clientAddress!: string | null;
  @Column(optionalText('trace_id')) traceId!: string | null;
  @Column(json('metadata')) metadata!: Record<string, unknown>;
  @Column(json('redacted')) redacted!: readonly string[];
  @Column(json('warnings')) warnings!: readonly RecordedWarning[];
  @Column(optionalBigint('expires_at')) expiresAt!: number | null;

  @Column(headers('request_headers')) requestHeaders!: readonly (readonly [string, string])[];
  @Column(optionalText('request_content_type')) requestContentType!: string | null;
  @Column(optionalBigint('request_original_bytes')) requestOriginalBytes!: number | null;
  @Column(bigint('request_stored_bytes')) requestStoredBytes!: number;
  @Column(bigint('request_unpacked_bytes')) requestUnpackedBytes!: number;
  @Column(text('request_codec')) requestCodec!: BodyCodec;
  @Column(text('request_state')) requestState!: BodyState;
  @Column(json('request_details')) requestDetails!: BodyDetails;

  @Column(headers('response_headers')) responseHeaders!: readonly (readonly [string, string])[];
  @Column(optionalText('response_content_type')) responseContentType!: string | null;
  @Column(optionalBigint('response_original_bytes')) responseOriginalBytes!: number | null;
  @Column(bigint('response_stored_bytes')) responseStoredBytes!: number;
  @Column(bigint('response_unpacked_bytes')) responseUnpackedBytes!: number;
  @Column(text('response_codec')) responseCodec!: BodyCodec;
  @Column(text('response_state')) responseState!: BodyState;
  @Column(json('response_details')) responseDetails!: BodyDetails;

  @Column(optionalText('closed_by')) closedBy!: ClosedBy | null;
  @Column(optionalBigint('offered_bytes')) offeredBytes!: number | null;
  @Column(optionalBigint('sent_bytes')) sentBytes!: number | null;
  @Column(optionalReal('first_byte_ms')) firstByteMs!: number | null;
  @Column(optionalBigint('chunks')) chunks!: number | null;
  @Column(optionalReal('longest_gap_ms')) longestGapMs!: number | null;

  @Column(bytes('request_body')) requestBody!: Buffer | null;
  @Column(bytes('response_body')) responseBody!: Buffer | null;
}
