#!/bin/sh
# Claim: miner.conf.example is exactly what the program prints.
# labels: plain
"$MINERVA" --print-config | diff - "$SOURCE/miner.conf.example"
