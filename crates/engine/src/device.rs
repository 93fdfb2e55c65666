//! The device that computes.

use clap::ValueEnum;
use serde::Serialize;

use crate::proto;

/// A device that computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Device {
    /// The processor.
    Cpu,
    /// The first NVIDIA device that the process can see.
    Cuda,
    /// The Apple graphics processor.
    Metal,
}

/// Why a device cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeviceError {
    /// The program was built without support for the device.
    #[error("this engine was built without {device}: build it with `./x engine {device}`")]
    NotBuilt {
        /// Name of the device.
        device: &'static str,
    },
    /// The program supports the device, and the machine does not offer one.
    #[error("no usable {device} device: {reason}")]
    NotFound {
        /// Name of the device.
        device: &'static str,
        /// What the driver says.
        reason: String,
    },
}

impl Device {
    /// The name on the command line, in configuration and in receipts.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
            Self::Metal => "metal",
        }
    }

    /// Checks that this build and this machine have the device.
    ///
    /// mistral.rs itself falls back to the CPU in silence, which would make the `device` of every receipt untrue.
    ///
    /// # Errors
    ///
    /// [`DeviceError::NotBuilt`] and [`DeviceError::NotFound`].
    pub fn verify_available(self) -> Result<(), DeviceError> {
        let device = self.name();
        let built = match self {
            Self::Cpu => return Ok(()),
            Self::Cuda => cfg!(feature = "cuda"),
            Self::Metal => cfg!(feature = "metal"),
        };
        if !built {
            return Err(DeviceError::NotBuilt { device });
        }
        let opened = match self {
            Self::Metal => mistralrs::Device::new_metal(0),
            _ => mistralrs::Device::new_cuda(0),
        };
        opened.map(drop).map_err(|error| DeviceError::NotFound {
            device,
            reason: error.to_string(),
        })
    }
}

impl From<Device> for proto::Device {
    fn from(device: Device) -> Self {
        match device {
            Device::Cpu => Self::Cpu,
            Device::Cuda => Self::Cuda,
            Device::Metal => Self::Metal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_is_always_available() {
        assert_eq!(Device::Cpu.verify_available(), Ok(()));
    }

    #[cfg(not(feature = "cuda"))]
    #[test]
    fn a_device_that_was_not_built_is_refused_with_the_command_that_builds_it() {
        let error = Device::Cuda.verify_available().expect_err("not built");
        assert_eq!(
            error.to_string(),
            "this engine was built without cuda: build it with `./x engine cuda`"
        );
    }
}
