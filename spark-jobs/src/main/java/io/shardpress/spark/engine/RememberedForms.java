package io.shardpress.spark.engine;

import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Forms of records, by identity, for as long as the records live. By equality, as {@link
 * java.util.WeakHashMap} goes, a look-up would cost as much as the form.
 */
final class RememberedForms {
  private final Map<Object, String> forms = new ConcurrentHashMap<>();
  private final ReferenceQueue<Object> collected = new ReferenceQueue<>();

  /** The form of that very record, or null. */
  String find(Object record) {
    return forms.get(new Asked(record));
  }

  void remember(Object record, String form) {
    for (Reference<?> gone = collected.poll(); gone != null; gone = collected.poll()) {
      forms.remove(gone);
    }
    forms.put(new Kept(record, collected), form);
  }

  /** How many are remembered. */
  int size() {
    return forms.size();
  }

  /** A key that keeps its record from nothing. */
  private static final class Kept extends WeakReference<Object> {
    private final int hash;

    Kept(Object record, ReferenceQueue<Object> collected) {
      super(record, collected);
      hash = System.identityHashCode(record);
    }

    @Override
    public int hashCode() {
      return hash;
    }

    /** What has been collected equals itself alone. */
    @Override
    public boolean equals(Object other) {
      if (this == other) {
        return true;
      }
      Object record = get();
      return record != null && other instanceof Kept kept && kept.get() == record;
    }
  }

  /** A key to look a record up with; made and thrown away without the collector's notice. */
  private static final class Asked {
    private final Object record;

    Asked(Object record) {
      this.record = record;
    }

    @Override
    public int hashCode() {
      return System.identityHashCode(record);
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Kept kept && kept.get() == record;
    }
  }
}
