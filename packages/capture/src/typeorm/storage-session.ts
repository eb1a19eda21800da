import 'reflect-metadata';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { wholeNumber } from './storage-entry';

/** Entries of one owner that follow each other within an idle timeout. For reading, like `StorageEntry`. */
@Entity({ name: 'recap_sessions', synchronize: false })
export class StorageSession {
  @PrimaryColumn({ name: 'id', type: 'text' }) id!: string;
  /** Identity of the sequence that sessions are cut from: owner, group and, for anonymous, client. */
  @Column({ name: 'session_key', type: 'text' }) sessionKey!: string;
  @Column({ name: 'owner', type: 'text' }) owner!: string;
  @Column({ name: 'session_group', type: 'text', nullable: true }) sessionGroup!: string | null;
  /** Start of its first entry, ms since the epoch. */
  @Column({ name: 'created_at', type: 'bigint', transformer: wholeNumber }) createdAt!: number;
  /** End of what ended last, ms since the epoch. */
  @Column({ name: 'last_activity_at', type: 'bigint', transformer: wholeNumber }) lastActivityAt!: number;
  /** The largest idle timeout asked for within it. */
  @Column({ name: 'timeout_ms', type: 'bigint', transformer: wholeNumber }) timeoutMs!: number;
}
