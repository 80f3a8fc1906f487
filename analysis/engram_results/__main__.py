"""python3 -m engram_results"""

import sys

from .command import main

sys.exit(main())
