import { describeFrames } from './testing/frame-suite.js';

describeFrames(10);
