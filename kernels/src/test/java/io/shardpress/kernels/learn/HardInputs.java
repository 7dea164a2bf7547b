package io.shardpress.kernels.learn;

import java.util.Random;

/** Inputs that calibration really meets at times. */
enum HardInputs {
  DEAD_CHANNELS,
  ONE_TOKEN,
  FEW_TOKENS,
  EQUAL_TOKENS,
  OUTLIER_CHANNELS,
  ONE_LIVE_CHANNEL,
  TINY,
  HUGE,
  NONE;

  double[] make(int in, Random random) {
    int tokens =
        switch (this) {
          case ONE_TOKEN -> 1;
          case FEW_TOKENS -> 5;
          case NONE -> 0;
          default -> 300;
        };
    double[] x = Dense.inputs(in, tokens, random);
    for (int i = 0; i < x.length; i++) {
      int channel = i % in;
      x[i] =
          switch (this) {
            case DEAD_CHANNELS -> channel % 3 == 1 ? 0 : x[i];
            case EQUAL_TOKENS -> x[channel];
            case OUTLIER_CHANNELS -> channel % 40 == 7 ? 1000 * x[i] : x[i];
            case ONE_LIVE_CHANNEL -> channel == 50 ? x[i] : 0;
            case TINY -> 1e-15 * x[i];
            case HUGE -> 1e15 * x[i];
            default -> x[i];
          };
    }
    return x;
  }
}
