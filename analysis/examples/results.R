# Mean learning curve and final accuracy of every value of a setting.
# Rscript results.R FILE SETTING [PICTURE.pdf], for example: Rscript results.R results/quickstart.h5 model_activation
# Needs ncdf4 (Debian: r-cran-ncdf4).
library(ncdf4)
arguments <- commandArgs(trailingOnly = TRUE)
stopifnot(length(arguments) >= 2)

f <- nc_open(arguments[1])
setting <- ncvar_get(f, arguments[2])              # words or numbers, one per trial
done <- ncvar_get(f, "status") == 2
accuracy <- ncvar_get(f, "accuracy")               # eval x trial: R shows dimensions in reverse
step <- ncvar_get(f, "step")
final <- ncvar_get(f, "final_accuracy")
nc_close(f)

values <- sort(unique(as.character(setting[done])))
for (value in values) {
  chosen <- done & setting == value
  half <- if (sum(chosen) > 1) qt(0.975, sum(chosen) - 1) * sd(final[chosen]) / sqrt(sum(chosen)) else NA
  cat(sprintf("%s %.6f %.6f %d\n", value, mean(final[chosen]), half, sum(chosen)))
}

if (length(arguments) > 2) {
  pdf(arguments[3])
  plot(range(step[, done], na.rm = TRUE), c(0, 1), type = "n", xlab = "minibatches", ylab = "test accuracy")
  for (i in seq_along(values)) {
    chosen <- which(done & setting == values[i])
    lines(step[, chosen[1]], rowMeans(accuracy[, chosen, drop = FALSE]), col = i)
  }
  legend("bottomright", values, col = seq_along(values), lty = 1)
  invisible(dev.off())
}
