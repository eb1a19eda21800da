export { Spool } from './spool';
