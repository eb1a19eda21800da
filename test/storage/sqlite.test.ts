import { describeOn } from './describe-on';
import { sqlite, sqliteInMemory } from './engines/sqlite';

describeOn(sqlite);
describeOn(sqliteInMemory);
