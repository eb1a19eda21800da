export { keepStore } from './keep-store';
