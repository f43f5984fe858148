package dev.ossicle.cuda;

/** What the driver answered where it should have succeeded. */
public final class CudaException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final int code;

    CudaException(int code, String message) {
        super(message);
        this.code = code;
    }

    /** The driver's CUresult: 2 is "out of memory". */
    public int code() {
        return code;
    }
}
