import { describeFuzzing } from './fuzz-suite.js';

describeFuzzing(1);
