package io.shardpress.spark.store;

import java.util.List;

/**
 * Parts are not what was written: cut short, gone, or their data do not match their checksum. Who
 * discards them gets them made again.
 */
public final class PartException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final List<PartFault> faults;

  PartException(PartKey part, String message, Throwable cause) {
    super(message, cause);
    this.faults = List.of(new PartFault(part, message));
  }

  /**
   * @param faults at least one
   */
  public PartException(List<PartFault> faults) {
    super(faults.get(0).message());
    this.faults = List.copyOf(faults);
  }

  public List<PartFault> faults() {
    return faults;
  }
}
