package io.shardpress.kernels.matmul;

import java.util.stream.Collectors;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;
import org.bytedeco.openblas.global.openblas_nolapack;

/** Loads OpenBLAS once, sets it to one thread, and keeps the reason where it does not load. */
final class OpenBlasLibrary {
  /** The kernel sets that the library may hold, by its own names. */
  private static final String[] CORES = {
    "SAPPHIRERAPIDS", "COOPERLAKE", "SKYLAKEX", "ZEN", "HASWELL", "EXCAVATOR", "STEAMROLLER",
    "PILEDRIVER", "BULLDOZER", "SANDYBRIDGE", "BARCELONA", "NEHALEM", "CORE2", "PRESCOTT"
  };

  private static final String CORE;
  private static final Throwable FAILURE;

  static {
    String core = null;
    Throwable failure = null;
    try {
      Loader.load(openblas_nolapack.class);
      // Rows are split by the caller, so that results do not depend on the number of threads.
      openblas_nolapack.blas_set_num_threads(1);
      core = activeCore();
    } catch (RuntimeException | LinkageError e) {
      failure = e;
    }
    CORE = core;
    FAILURE = failure;
  }

  private OpenBlasLibrary() {}

  static boolean isLoaded() {
    return FAILURE == null;
  }

  /** Why it did not load, in a line that says what to do; null where it did. */
  static String failure() {
    if (FAILURE == null) {
      return null;
    }
    String platform = Loader.getPlatform();
    if (!isOnClassPath(platform)) {
      return "there is no OpenBLAS for %s on the class path (add the jars of that platform of org.bytedeco:openblas and :javacpp)"
          .formatted(platform);
    }
    Throwable root = FAILURE;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    return "OpenBLAS for %s cannot be loaded (%s)"
        .formatted(platform, root.toString().lines().collect(Collectors.joining(" ")));
  }

  private static boolean isOnClassPath(String platform) {
    String library = System.mapLibraryName("jniopenblas_nolapack");
    String resource = "/org/bytedeco/openblas/" + platform + "/" + library;
    return openblas_nolapack.class.getResource(resource) != null;
  }

  /** The library's version and the kernel set that it chose for this processor. */
  static String name() {
    return "openblas-" + openblas_nolapack.OPENBLAS_VERSION.replaceAll("[^0-9.]", "") + "-" + CORE;
  }

  // The library's table of kernels is a pointer to one of the tables that it holds. Its function
  // that returns the name has no binding, but the addresses tell the same.
  private static String activeCore() {
    Pointer active = Loader.addressof("gotoblas");
    if (active == null) {
      return "static";
    }
    long table = new PointerPointer<Pointer>(active).get(Pointer.class, 0).address();
    for (String core : CORES) {
      Pointer candidate = Loader.addressof("gotoblas_" + core);
      if (candidate != null && candidate.address() == table) {
        return core;
      }
    }
    return "unknown";
  }
}
