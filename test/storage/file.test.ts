import { describeOn } from './describe-on';
import { file } from './engines/file';

describeOn(file);
