package io.shardpress.spark.io;

/** Hears of the bytes that pass between a task and its files, and says where the task is to end. */
public interface Traffic {
  /** Counts nothing and ends nothing. */
  Traffic UNHEARD =
      new Traffic() {
        @Override
        public void read(long bytes) {}

        @Override
        public void written(long bytes) {}

        @Override
        public void checkpoint() {}
      };

  /** So many bytes have come from a file. */
  void read(long bytes);

  /** So many bytes have gone to a file. */
  void written(long bytes);

  /** Throws where the task is to end; asked within long reads and writes, every few MB. */
  void checkpoint();
}
