/**
 * Benchmarks, run by scripts/bench: one JSON line each. What is compared is measured in turns in
 * one run, and the best of many rounds counts, so that a busy machine disturbs the ratios least.
 */
package io.shardpress.kernels.bench;
