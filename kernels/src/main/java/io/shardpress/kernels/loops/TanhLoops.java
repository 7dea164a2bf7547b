package io.shardpress.kernels.loops;

/** Loops over what is made of tanh, to which applies what {@link Loops} says. */
public interface TanhLoops {
  /** The implementation of this process, as {@link Loops#chosen}. */
  static TanhLoops chosen() {
    return Chosen.TANH;
  }

  /**
   * y ← gelu(gate) ∘ up in [from, to), gelu(x) = x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³))) (arXiv
   * 1606.08415); y is another array than gate and up.
   */
  void geGlu(float[] gate, float[] up, float[] y, int from, int to);

  /** Gradients of {@link #geGlu} in [from, to), into other arrays than those read. */
  void geGluBackward(
      float[] gate, float[] up, float[] dy, float[] dgate, float[] dup, int from, int to);

  /** x ← cap·tanh(x/cap) in [from, to). */
  void softCap(float[] x, int from, int to, float cap);

  /** dx ← dx·(1 − (y/cap)²) for {@code length} elements, the gradient at y = cap·tanh(x/cap). */
  void softCapGradient(float[] y, int yAt, float[] dx, int dxAt, int length, float cap);
}
